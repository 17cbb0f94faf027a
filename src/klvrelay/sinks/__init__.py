"""Where records go: the contract, and one module or package per far end."""
