"""TensorFlow Datasets: builders of ours, and clips of any."""
