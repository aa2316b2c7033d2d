"""`pwless events`: what happened, shown and followed."""
