"""The machine below: files, signals, devices, processes, compilation."""
