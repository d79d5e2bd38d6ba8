-- AlterTable
ALTER TABLE "signing_keys" ADD COLUMN     "active_from" TIMESTAMPTZ(3),
ADD COLUMN     "retires_at" TIMESTAMPTZ(3);

-- A key of before has signed since it was made.
UPDATE "signing_keys" SET "active_from" = "created_at";

ALTER TABLE "signing_keys" ALTER COLUMN "active_from" SET NOT NULL;
