"""What auditors and accountants download: workbooks made from frozen records."""
