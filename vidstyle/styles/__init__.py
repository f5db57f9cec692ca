"""What a style is made of: the built-in gallery, references on the command line, keyframes and masks."""
