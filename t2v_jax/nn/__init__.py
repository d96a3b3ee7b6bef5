"""The networks: attention, ConvLSTM, generator and discriminator."""
