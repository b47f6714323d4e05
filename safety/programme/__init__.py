"""The programme office: the signed reports of many sites, read as one."""
