"""What tests share: small problems and sweeps, observers, recorders, processes and servers."""
