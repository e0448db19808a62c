"""What people type at the door and on their account pages."""
