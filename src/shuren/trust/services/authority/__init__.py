"""The region's certificate authorities: founded, issuing, revoking, answering whoever relies on them."""
