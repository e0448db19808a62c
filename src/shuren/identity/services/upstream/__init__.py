"""Identity providers above: asked, believed within their branch, and heard when somebody has left there."""
