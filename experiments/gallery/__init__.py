"""The lectures' pictures, each one stack of networks that is trained on the spot, on a page that needs no network."""
