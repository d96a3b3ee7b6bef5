"""Makes the worlds and data sets of this package known to TensorFlow Datasets.

After `import t2v_jax.tfds`, `tensorflow_datasets.data_source("moving_digits")` finds them by name.
"""

import t2v_jax.data.tfds.builders  # noqa: F401, importing it registers the builders
