"""The generator and the discriminator, and what any such network must offer."""
