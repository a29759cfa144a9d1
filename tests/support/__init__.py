"""What tests share: small sweeps, observers, recorders, processes and servers."""
