"""The portal's pages, one file per area; handlers only ask services and choose a template."""
