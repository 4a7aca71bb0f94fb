namespace ThreadExporter.Procfs;
