"""Forms of others in XLSForm (https://xlsform.org) as bodies of forms of ours, with everything that cannot be taken over told."""
