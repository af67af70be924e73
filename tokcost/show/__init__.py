"""What people look at: sentences, tables and figures. A tidy table in, something readable out; no arithmetic of the model."""
