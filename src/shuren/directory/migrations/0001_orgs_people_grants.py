import django.db.models.deletion
from django.db import migrations, models

import shuren.kernel.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Org",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sourced_id", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("row_hash", models.BinaryField(default=b"", max_length=16)),
                ("import_id", models.BigIntegerField(db_index=True, null=True)),
                ("code", shuren.kernel.fields.BytewiseField(blank=True, max_length=18)),
                ("name", shuren.kernel.fields.BytewiseField(max_length=120)),
                ("short_name", models.CharField(blank=True, max_length=60)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("province", "province"),
                            ("city", "city"),
                            ("county", "county"),
                            ("agency", "agency"),
                            ("group", "group"),
                            ("school", "school"),
                            ("campus", "campus"),
                            ("teaching_point", "teaching_point"),
                            ("department", "department"),
                            ("grade", "grade"),
                            ("class", "class"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("closed", "closed"), ("merged", "merged")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("path", shuren.kernel.fields.PathField(max_length=200)),
                ("depth", models.PositiveSmallIntegerField()),
                ("division_code", models.CharField(blank=True, max_length=12)),
                ("credit_code", models.CharField(blank=True, max_length=18)),
                ("is_rural", models.BooleanField(null=True)),
                ("grade", models.CharField(blank=True, max_length=20)),
                ("position", models.PositiveIntegerField(default=0)),
                ("geometry", models.JSONField(null=True)),
                ("begin_date", models.DateField(null=True)),
                ("end_date", models.DateField(null=True)),
                (
                    "parent",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="children", to="directory.org"
                    ),
                ),
                (
                    "successor",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="predecessors", to="directory.org"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NumberSequence",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("next_value", models.BigIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="AcademicSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sourced_id", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("row_hash", models.BinaryField(default=b"", max_length=16)),
                ("import_id", models.BigIntegerField(db_index=True, null=True)),
                ("title", models.CharField(max_length=60)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("schoolYear", "schoolYear"),
                            ("term", "term"),
                            ("semester", "semester"),
                            ("gradingPeriod", "gradingPeriod"),
                        ],
                        max_length=20,
                    ),
                ),
                ("begin_date", models.DateField()),
                ("end_date", models.DateField()),
                ("school_year", models.PositiveSmallIntegerField()),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terms",
                        to="directory.academicsession",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ClassDetail",
            fields=[
                (
                    "org",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="class_detail",
                        serialize=False,
                        to="directory.org",
                    ),
                ),
                ("class_type", models.CharField(choices=[("homeroom", "homeroom"), ("scheduled", "scheduled")], max_length=10)),
                ("class_code", models.CharField(blank=True, max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="Course",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sourced_id", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("row_hash", models.BinaryField(default=b"", max_length=16)),
                ("import_id", models.BigIntegerField(db_index=True, null=True)),
                ("title", models.CharField(max_length=120)),
                ("code", models.CharField(blank=True, max_length=40)),
                ("grades", models.CharField(blank=True, max_length=80)),
                ("subject", models.CharField(blank=True, max_length=40)),
                (
                    "org",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="courses", to="directory.org"),
                ),
                (
                    "session",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="courses",
                        to="directory.academicsession",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OrgCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("value", models.BigIntegerField(default=0)),
                (
                    "org",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="counts", to="directory.org"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OrgHistory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("change", models.CharField(max_length=20)),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "org",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="history", to="directory.org"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sourced_id", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("row_hash", models.BinaryField(default=b"", max_length=16)),
                ("import_id", models.BigIntegerField(db_index=True, null=True)),
                ("number", shuren.kernel.fields.BytewiseField(max_length=14)),
                ("name", shuren.kernel.fields.BytewiseField(max_length=80)),
                ("family_name", models.CharField(blank=True, max_length=40)),
                ("given_name", models.CharField(blank=True, max_length=60)),
                ("sort_key", shuren.kernel.fields.BytewiseField(blank=True, max_length=60)),
                ("sex", models.CharField(choices=[("0", "0"), ("1", "1"), ("2", "2"), ("9", "9")], default="0", max_length=1)),
                ("birth_date", models.DateField(null=True)),
                ("username", models.CharField(blank=True, max_length=80)),
                ("pupil_number", shuren.kernel.fields.BytewiseField(blank=True, max_length=19)),
                ("staff_number", shuren.kernel.fields.BytewiseField(blank=True, max_length=40)),
                ("email", models.CharField(blank=True, max_length=120)),
                ("phone", models.CharField(blank=True, max_length=30)),
                ("grade", models.CharField(blank=True, max_length=20)),
                ("national_id_sealed", models.BinaryField(null=True)),
                ("national_id_index", shuren.kernel.fields.BytewiseField(blank=True, max_length=64)),
                ("is_active", models.BooleanField(default=True)),
                ("is_synthetic", models.BooleanField(default=False)),
                (
                    "merged_into",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="merged", to="directory.person"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GuardianLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("relation", models.CharField(blank=True, max_length=20)),
                ("begin_date", models.DateField(null=True)),
                ("end_date", models.DateField(null=True)),
                ("import_id", models.BigIntegerField(db_index=True, null=True)),
                (
                    "guardian",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="ward_links", to="directory.person"
                    ),
                ),
                (
                    "ward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="guardian_links", to="directory.person"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("pupil", "pupil"),
                            ("parent", "parent"),
                            ("teacher", "teacher"),
                            ("class_teacher", "class_teacher"),
                            ("head", "head"),
                            ("school_admin", "school_admin"),
                            ("staff", "staff"),
                            ("county_officer", "county_officer"),
                            ("city_officer", "city_officer"),
                            ("province_officer", "province_officer"),
                            ("expert", "expert"),
                            ("vendor", "vendor"),
                            ("system_admin", "system_admin"),
                            ("security_admin", "security_admin"),
                            ("audit_admin", "audit_admin"),
                        ],
                        max_length=20,
                    ),
                ),
                ("org_path", shuren.kernel.fields.PathField(max_length=200)),
                ("purpose", models.CharField(blank=True, max_length=60)),
                ("begin_at", models.DateTimeField()),
                ("end_at", models.DateTimeField(null=True)),
                ("may_delegate", models.BooleanField(default=False)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "org",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="grants", to="directory.org"),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="delegated", to="directory.grant"
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="given_grants", to="directory.person"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="directory.person"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormerNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("value", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("until", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="former_numbers", to="directory.person"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Enrollment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sourced_id", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("row_hash", models.BinaryField(default=b"", max_length=16)),
                ("import_id", models.BigIntegerField(db_index=True, null=True)),
                ("org_path", shuren.kernel.fields.PathField(max_length=200)),
                ("role", models.CharField(choices=[("student", "student"), ("teacher", "teacher")], max_length=10)),
                ("is_primary", models.BooleanField(default=False)),
                ("begin_date", models.DateField(null=True)),
                ("end_date", models.DateField(null=True)),
                (
                    "class_org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="enrollments", to="directory.org"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="enrollments", to="directory.person"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DuplicatePair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("evidence", models.JSONField()),
                ("score", models.FloatField()),
                ("found_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision", models.CharField(blank=True, max_length=10)),
                (
                    "first",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="directory.person"),
                ),
                (
                    "second",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="directory.person"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Affiliation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sourced_id", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("row_hash", models.BinaryField(default=b"", max_length=16)),
                ("import_id", models.BigIntegerField(db_index=True, null=True)),
                ("org_path", shuren.kernel.fields.PathField(max_length=200)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("pupil", "pupil"),
                            ("parent", "parent"),
                            ("teacher", "teacher"),
                            ("class_teacher", "class_teacher"),
                            ("head", "head"),
                            ("school_admin", "school_admin"),
                            ("staff", "staff"),
                            ("county_officer", "county_officer"),
                            ("city_officer", "city_officer"),
                            ("province_officer", "province_officer"),
                            ("expert", "expert"),
                            ("vendor", "vendor"),
                            ("system_admin", "system_admin"),
                            ("security_admin", "security_admin"),
                            ("audit_admin", "audit_admin"),
                        ],
                        max_length=20,
                    ),
                ),
                ("is_primary", models.BooleanField(default=True)),
                ("begin_date", models.DateField(null=True)),
                ("end_date", models.DateField(null=True)),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="affiliations", to="directory.org"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="affiliations", to="directory.person"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="academicsession",
            constraint=models.UniqueConstraint(fields=("sourced_id",), name="session_sourced_once"),
        ),
        migrations.AddField(
            model_name="classdetail",
            name="course",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="classes", to="directory.course"
            ),
        ),
        migrations.AddField(
            model_name="classdetail",
            name="terms",
            field=models.ManyToManyField(related_name="classes", to="directory.academicsession"),
        ),
        migrations.AddIndex(
            model_name="org",
            index=models.Index(fields=["parent", "position", "id"], name="org_children"),
        ),
        migrations.AddIndex(
            model_name="org",
            index=models.Index(fields=["type", "path"], name="org_type_path"),
        ),
        migrations.AddIndex(
            model_name="org",
            index=models.Index(fields=["code"], name="org_code"),
        ),
        migrations.AddIndex(
            model_name="org",
            index=models.Index(fields=["name"], name="org_name"),
        ),
        migrations.AddConstraint(
            model_name="org",
            constraint=models.UniqueConstraint(fields=("sourced_id",), name="org_sourced_once"),
        ),
        migrations.AddConstraint(
            model_name="org",
            constraint=models.UniqueConstraint(fields=("path",), name="org_path_once"),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.UniqueConstraint(fields=("sourced_id",), name="course_sourced_once"),
        ),
        migrations.AddConstraint(
            model_name="orgcount",
            constraint=models.UniqueConstraint(fields=("org", "kind"), name="org_count_once"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["sort_key", "id"], name="person_sort"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["name"], name="person_name"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["pupil_number"], name="person_pupil_number"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["staff_number"], name="person_staff_number"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["national_id_index"], name="person_national_id"),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(fields=("sourced_id",), name="person_sourced_once"),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(fields=("number",), name="person_number_once"),
        ),
        migrations.AddConstraint(
            model_name="guardianlink",
            constraint=models.UniqueConstraint(fields=("guardian", "ward"), name="guardian_once"),
        ),
        migrations.AddIndex(
            model_name="grant",
            index=models.Index(fields=["person", "role"], name="grant_person"),
        ),
        migrations.AddIndex(
            model_name="grant",
            index=models.Index(fields=["org_path"], name="grant_path"),
        ),
        migrations.AddIndex(
            model_name="formernumber",
            index=models.Index(fields=["value"], name="former_number_value"),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["org_path", "role", "person"], name="enrollment_scope"),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.UniqueConstraint(fields=("sourced_id",), name="enrollment_sourced_once"),
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.UniqueConstraint(fields=("first", "second"), name="duplicate_pair_once"),
        ),
        migrations.AddIndex(
            model_name="affiliation",
            index=models.Index(fields=["org_path", "role", "person"], name="affiliation_scope"),
        ),
        migrations.AddIndex(
            model_name="affiliation",
            index=models.Index(
                condition=models.Q(("role__in", ("pupil", "parent")), _negated=True),
                fields=["role", "org_path"],
                name="affiliation_staff",
            ),
        ),
        migrations.AddConstraint(
            model_name="affiliation",
            constraint=models.UniqueConstraint(fields=("sourced_id",), name="affiliation_sourced_once"),
        ),
    ]
