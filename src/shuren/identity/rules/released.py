"""What services may be told about people, and by which names they may know them."""

# attribute: the data element it carries; none for what the house itself knows of roles
ELEMENTS: dict[str, str] = {
    "name": "person.name",
    "number": "person.number",
    "pupil_number": "person.pupil_number",
    "staff_number": "person.staff_number",
    "grade": "person.grade",
    "email": "person.email",
    "phone": "person.phone",
    "roles": "",
    "orgs": "",
}
ATTRIBUTES = tuple(ELEMENTS)
USERS = ("pairwise", "number", "username")
PURPOSE = "sign_in"
# The names of SAML's attributes that have one of their own in LDAP; all others are addresses below that of our metadata.
LDAP_NAMES = {"name": "displayName", "staff_number": "employeeNumber", "email": "mail", "phone": "mobile"}
# A masked name still greets somebody; a masked number or address says nothing.
FIT_MASKED = frozenset({"person.name"})
