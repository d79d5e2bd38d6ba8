-- CreateIndex
CREATE INDEX "sessions_revoked_at_id_idx" ON "sessions"("revoked_at", "id") WHERE ("revoked_at" IS NOT NULL);
