from django.db import migrations

CHART = [
    ("1100", "Accounts receivable", "asset"),
    ("1200", "Cash clearing", "asset"),
    ("2200", "Sales tax payable", "liability"),
    ("4000", "Sales", "income"),
    ("4100", "Shipping income", "income"),
    ("4200", "Fees", "income"),
    ("4900", "Discounts given", "income"),
    ("6900", "Rounding", "expense"),
]


def make_chart(apps, schema_editor):
    account = apps.get_model("backoffice", "Account")
    account.objects.bulk_create(account(code=code, name=name, kind=kind) for code, name, kind in CHART)


class Migration(migrations.Migration):
    dependencies = [("backoffice", "0001_initial")]

    operations = [migrations.RunPython(make_chart, migrations.RunPython.noop)]
