"""Layers: descriptions without arrays, and what they become when bound to a stack's parameters and buffers."""
