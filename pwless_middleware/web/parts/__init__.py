"""The pages that features share: each adds its part."""
