"""A classifier of pictures, trained with augmentation from memory and from a folder."""
