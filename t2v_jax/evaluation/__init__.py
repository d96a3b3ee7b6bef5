"""How well the video obeys the sentence: judges trained on real clips, scores with intervals."""
