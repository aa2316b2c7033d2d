"""Floor 6: login methods and rules, one module or package each. They never import each other."""
