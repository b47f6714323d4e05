"""Trains the networks that ship, and a customer's own: data, recipes, trainer, export.

Needs ``anjeon[train]`` (PyTorch, Ultralytics, ONNX Runtime); nothing that runs a plant imports it.
"""
