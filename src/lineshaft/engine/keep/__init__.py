"""What happens to finished runs: relaunch, rename, removal, disk use."""
