"""The ranked table: columns that give way, a roster with an identity cursor, and the widget."""
