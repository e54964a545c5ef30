"""The pages: what a browser asks for, and what it gets. They know the workbench; nothing but the application knows them."""
