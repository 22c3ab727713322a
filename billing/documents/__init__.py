"""What people hold in their hands: QR codes, receipts, reports."""
