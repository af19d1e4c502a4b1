"""Many runs, started on this machine or on a cluster."""
