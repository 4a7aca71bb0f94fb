namespace ThreadExporter.Systemd;
