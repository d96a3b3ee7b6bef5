"""How well the video obeys the sentence: classifiers trained on real clips, scores with intervals."""
