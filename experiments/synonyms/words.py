"""Words of everyday English for what the captions of moving shapes say, none of which a caption has."""

SYNONYMS = {
    "shape": {
        "circle": ("ball", "disc", "ring", "sphere"),
        "square": ("block", "box", "cube", "rectangle"),
        "triangle": ("pyramid", "wedge"),
    },
    "size": {
        "small": ("little", "miniature", "tiny"),
        "large": ("big", "enormous", "giant", "huge"),
    },
    "color": {
        "red": ("crimson", "scarlet"),
        "green": ("emerald", "lime"),
        "blue": ("azure", "navy"),
        "yellow": ("amber", "golden"),
        "white": ("ivory", "pale"),
    },
    "direction": {
        "left": ("leftward", "leftwards"),
        "right": ("rightward", "rightwards"),
        "up": ("upward", "upwards"),
        "down": ("downward", "downwards"),
    },
}

ALL = tuple(word for values in SYNONYMS.values() for words in values.values() for word in words)
