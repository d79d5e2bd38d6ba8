-- CreateIndex
CREATE INDEX "invitations_open_expires_at_id_idx" ON "invitations"("expires_at", "id") WHERE ("closed_at" IS NULL);

-- CreateIndex
CREATE INDEX "invitations_unused_created_at_id_idx" ON "invitations"("created_at", "id") WHERE ("revoked_at" IS NULL AND "accepted_at" IS NULL);

-- CreateIndex
CREATE INDEX "invitations_accepted_created_at_id_idx" ON "invitations"("created_at", "id") WHERE ("revoked_at" IS NULL AND "accepted_at" IS NOT NULL);

-- CreateIndex
CREATE INDEX "invitations_revoked_created_at_id_idx" ON "invitations"("created_at", "id") WHERE ("revoked_at" IS NOT NULL);
