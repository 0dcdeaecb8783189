import getpass
import json
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from carts.choices import RunState, outcome_word
from carts.cli import arguments, foreground, shapes, values
from carts.errors import CartError, Refused
from carts.models import Cart, Run
from carts.services import conflicts, control, mapping_csv, pairs, problems, stock_state
from carts.services.state import state_of, states

REFUSED = 1
NEEDS_PERSON = 3
RETRIED_LATER = 4


class Command(BaseCommand):
    help = "Everything the cart's page can do. See docs/shell.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.add_to(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["as_json"]
        try:
            getattr(self, f"do_{options['action']}")(options)
        except (Refused, CartError) as error:
            raise CommandError(error.sentence, returncode=REFUSED) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was done until now stays done.", returncode=130) from None

    # Carts and their settings -----------------------------------------------------------------------

    def do_list(self, options: dict[str, Any]) -> None:
        carts = list(Cart.objects.all())
        shown = states(carts)
        lines = [f"{cart.pk}  {cart.name}  {cart.url}\n    {shown[cart.pk].text}" for cart in carts]
        self.tell({"carts": [shapes.brief(cart, shown[cart.pk]) for cart in carts]}, lines or ["There is no cart yet."])

    def do_add(self, options: dict[str, Any]) -> None:
        platform = options["platform"]
        draft = control.new_cart(platform)
        changes = values.changes_of(draft, [f"name={options['name']}", f"url={options['url']}"])
        credentials = values.read_credentials(options["credentials"], platform)
        values.check_complete(credentials, platform)
        cart = control.create_cart({"platform": platform, **changes}, credentials, caller())
        self.tell_cart(cart, f"Added {cart.name} with the id {cart.pk}. Next: manage.py cart test {cart.pk}")

    def do_show(self, options: dict[str, Any]) -> None:
        self.tell_cart(values.find_cart(options["cart"]))

    def do_set(self, options: dict[str, Any]) -> None:
        cart = values.find_cart(options["cart"])
        changes = values.changes_of(cart, options["pairs"])
        source = options["credentials"]
        credentials = values.read_credentials(source, cart.platform) if source else {}
        if not changes and not credentials:
            raise Refused("There is nothing to save: give at least one field=value, or --credentials.")
        cart = control.save_cart(cart, changes, credentials, caller(), cart.settings_version)
        self.tell_cart(cart, f"Saved {cart.name}.")

    # Running it -------------------------------------------------------------------------------------

    def do_test(self, options: dict[str, Any]) -> None:
        cart = values.find_cart(options["cart"])
        result = control.test_connection(cart, caller())
        cart.refresh_from_db()
        facts = shapes.shop(cart)
        lines = [result.message] if result.passed else []
        lines += [f"  {name}: {plain(value)}" for name, value in facts.items() if value] if result.passed else []
        self.tell({"id": cart.pk, "passed": result.passed, "message": result.message, "shop": facts}, lines)
        if not result.passed:
            raise CommandError(result.message, returncode=REFUSED)

    def do_rehearse(self, options: dict[str, Any]) -> None:
        self.tell_run(foreground.rehearse(values.find_cart(options["cart"]), caller(), to_cart=options["to_cart"]))

    def do_start(self, options: dict[str, Any]) -> None:
        cart = values.find_cart(options["cart"])
        plan = control.start_plan(cart)
        control.start(cart, caller(), without_rehearsal=options["without_rehearsal"])
        lines = [
            f"{cart.name} is RUNNING.",
            *plan.will,
            f"Last Order from: {control.shop_time(cart, plan.since):%Y-%m-%d %H:%M %Z}.",
        ]
        lines.append(f"{'Unknown' if plan.order_count is None else plan.order_count} orders. {plan.count_note}")
        self.tell(shapes.plan(cart, plan), lines)

    def do_stop(self, options: dict[str, Any]) -> None:
        cart = values.find_cart(options["cart"])
        note = control.stop(cart, caller())
        self.tell({"id": cart.pk, "name": cart.name, "note": note}, [f"{cart.name} is STOPPED. {note}"])

    def do_sync(self, options: dict[str, Any]) -> None:
        cart = values.find_cart(options["cart"])
        done = foreground.sync(cart, caller())
        feed = done.feed
        shape = {
            "id": cart.pk,
            "polled": done.polled,
            "note": done.note,
            "runs": [shapes.run(run) for run in done.runs],
        }
        lines = [f"{run}: {run.get_state_display()}, {counts_of(run)}." for run in done.runs]
        self.tell(shape, lines or (["The orders were read; nothing was new."] if done.polled else []))
        if feed and feed.error and cart.is_running:
            raise CommandError(done.note, returncode=NEEDS_PERSON if feed.needs_person else RETRIED_LATER)
        if done.note:
            self.stderr.write(done.note)

    def do_import(self, options: dict[str, Any]) -> None:
        kind = arguments.KINDS[options["kind"]]
        cart = values.find_cart(options["cart"])
        self.tell_run(foreground.import_records(cart, kind, options["ids"], caller()))

    def do_export(self, options: dict[str, Any]) -> None:
        kind, cart = arguments.KINDS[options["kind"]], values.find_cart(options["cart"])
        rehearse = options["rehearse"]
        self.tell_run(foreground.export_records(cart, kind, options["keys"], caller(), rehearse=rehearse))

    def do_map(self, options: dict[str, Any]) -> None:
        kind, cart = arguments.KINDS[options["kind"]], values.find_cart(options["cart"])
        if options["read"]:
            foreground.read_all(cart, kind, caller())
        if not options["table"]:
            table = mapping_csv.export(cart, kind)
            self.tell({"id": cart.pk, "table": table}, [table.rstrip()])
            return
        act = mapping_csv.apply if options["apply"] else mapping_csv.preview
        changes = act(cart, kind, values.read_table(options["table"]))
        told = [change for change in changes if change.action != mapping_csv.KEEP]
        shape = {"id": cart.pk, "applied": options["apply"], "counts": mapping_csv.counted(changes)}
        self.tell(
            shape | {"changes": [asdict(change) for change in told]},
            [f"{one.line}: {one.action} {one.label or one.external_id} {one.ours} {one.why}".rstrip() for one in told],
        )

    def do_owners(self, options: dict[str, Any]) -> None:
        cart = values.find_cart(options["cart"])
        if options["pairs"]:
            owners = values.owners_of(cart, options["pairs"])
            cart = control.save_cart(cart, {"field_owners": owners}, {}, caller(), cart.settings_version)
        shape = {"id": cart.pk, "owners": pairs.every_owner(cart), "contradictions": pairs.contradictions(cart)}
        lines = [f"{name}: {owner}" for name, owner in shape["owners"].items()]
        self.tell(shape, [*lines, *shape["contradictions"]])

    def do_resolve(self, options: dict[str, Any]) -> None:
        cart, told = values.find_cart(options["cart"]), []
        for pk in options["ids"]:
            conflict = conflicts.waiting(cart).filter(pk=pk).first()
            if conflict is None:
                raise Refused(
                    f"{cart.name} has no conflict with the id {pk}; see problems. The others stay as they are."
                )
            told.append(conflicts.resolve(conflict, options["side"]))
        self.tell({"id": cart.pk, "resolved": options["ids"]}, told)

    def do_problems(self, options: dict[str, Any]) -> None:
        cart = values.find_cart(options["cart"]) if options["cart"] else None
        feeds, groups = problems.feeds_in_need(cart), problems.groups(cart)
        records = problems.open_problems(cart)
        listed = list(records[: options["limit"]])
        shape = {
            "feeds": [shapes.feed_in_need(feed) for feed in feeds],
            "causes": [shapes.cause(group) for group in groups],
            "records": [shapes.problem(record) for record in listed],
            "record_total": records.count(),
        }
        unsent = list(stock_state.failed(cart)[: options["limit"]])
        shape["unsent"] = [shapes.unsent(push) for push in unsent]
        asked = list(conflicts.waiting(cart)[: options["limit"]])
        shape["conflicts"] = [shapes.conflict(one) for one in asked]
        in_need = [*feeds, *stock_state.outboxes_in_need(cart)]
        lines = [f"{one.cart}: {one.error}" for one in in_need]
        lines += [f"{push.cart}: {push.kind} {push.local_id} was not sent. {push.reason}" for push in unsent]
        lines += [
            f"{one.cart}: {one.pk}: {one.record}, {one.field}: ours {one.ours!r}, the cart's {one.theirs!r}"
            for one in asked
        ]
        lines += [f"{group.cart}: {group.label} holds {group.orders} orders ({group.reason_code})" for group in groups]
        lines += [f"{one.cart}: {one} is {one.get_state_display()}. {one.reason}" for one in listed]
        if shape["record_total"] > len(listed):
            lines.append(f"... and {shape['record_total'] - len(listed)} more; see --limit.")
        self.tell(shape, lines or ["Nothing needs you."])

    # Telling ----------------------------------------------------------------------------------------

    def tell(self, shape: dict[str, Any], lines: Iterable[str]) -> None:
        """The result on standard output, for a program or for a person; everything else goes to standard error."""
        if self.as_json:
            self.stdout.write(json.dumps(shape, ensure_ascii=False, indent=2))
            return
        for line in lines:
            self.stdout.write(line)

    def tell_cart(self, cart: Cart, sentence: str = "") -> None:
        state = state_of(cart)
        shape = shapes.whole(cart, state)
        lines = [sentence or f"{cart.pk}  {cart.name}  {cart.get_platform_display()}", state.text]
        if not sentence:
            lines += [f"  {name}: {plain(value)}" for name, value in shape["settings"].items() if name != "name"]
            lines += [f"  {name}: {text}" for name, text in shape["credentials"].items()]
            lines += shape["start_refusals"]
        self.tell(shape, lines)

    def tell_run(self, run: Run) -> None:
        lines = [
            f"{item.label or item.external_id}  {outcome_word(run.kind, item.outcome)}  {item.message}".rstrip()
            for item in run.items.order_by("id")
        ]
        lines.append(f"{run}: {run.get_state_display()}, {counts_of(run)}.")
        self.tell(shapes.run(run, with_items=True), lines)
        if run.state != RunState.DONE:
            reason = run.error or f"The run ended as {run.get_state_display()}; its lines say why."
            raise CommandError(reason, returncode=REFUSED)


def counts_of(run: Run) -> str:
    return (
        ", ".join(f"{outcome_word(run.kind, name)} {count}" for name, count in sorted(run.counts.items()))
        or "nothing new"
    )


def plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)


def caller() -> str:
    """Who typed it, as runs and the history of a cart name them."""
    try:
        return f"{getpass.getuser()} (shell)"
    except (KeyError, OSError):  # a container's user may have no name
        return "shell"
