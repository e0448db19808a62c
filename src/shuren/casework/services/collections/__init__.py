"""Collections from their issue to the lake: issue, fill in, urge, change, freeze, take out, bring back as a workbook."""
