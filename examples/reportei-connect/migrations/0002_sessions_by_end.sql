-- Sessions that are over are deleted whenever another one begins.
CREATE INDEX sessions_by_end ON sessions (expires_at);
