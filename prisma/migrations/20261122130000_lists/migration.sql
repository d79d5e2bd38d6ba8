-- Lists of a million rows: what each order and filter reads first stands in an index, with the id, so that pages far
-- from the start pass over the index alone.

-- DropIndex
DROP INDEX "audit_events_type_at_idx";

-- DropIndex
DROP INDEX "user_roles_role_id_idx";

-- CreateIndex
CREATE INDEX "audit_events_type_at_id_idx" ON "audit_events"("type", "at", "id");

-- CreateIndex
CREATE INDEX "user_roles_role_id_user_id_idx" ON "user_roles"("role_id", "user_id");

-- Who never signed in comes last in either direction, so the other direction is not this one read backwards.
CREATE INDEX "users_last_login_at_desc_id_idx" ON "users"("last_login_at" DESC NULLS LAST, "id" DESC);

-- CreateIndex
CREATE INDEX "users_status_created_at_id_idx" ON "users"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "users_email_id_idx" ON "users"("email", "id");

-- The role can be taken away, so it is not everybody's. A description that somebody has written stays.
UPDATE "roles" SET "description" = 'What every new account is given.', "updated_at" = now()
WHERE "name_key" = 'user' AND "built_in" AND "description" = 'What everybody with an account holds.';
