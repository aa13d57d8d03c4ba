"""Pages that change accounts: the dialog of one, and the one that groups those that are ticked."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.decorators import DeskRequest, may_trade, signed_in
from accounts.models import Account
from accounts.selectors import groups_of, our_accounts
from accounts.services.editing import MayNotEdit, NoSuchAccount, edit_account, group_accounts
from orders.forms.accounts import AccountForm, GroupForm
from orders.selectors.account_grid import find_line
from orders.selectors.worth import account_worth
from orders.views.accounts import NOBODY, chosen, named, told
from orders.views.frame import frame

UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
def edit(request: DeskRequest, account_id: UUID) -> HttpResponse:
    """Show what may be changed of an account; a POST changes it."""
    account = our_accounts().select_related("login").filter(pk=account_id).first()
    if account is None:
        raise Http404
    is_in = groups_of([account_id]).get(account_id, frozenset())
    form = AccountForm(request.POST or None, instance=account, is_in=is_in)
    if request.method == "POST" and form.is_valid():
        by, changes = request.user.get_username(), form.changes()
        try:
            edit_account(account_id=account_id, changes=changes, actor=by, now=timezone.now())
        except MayNotEdit as error:
            form.add_error(None, str(error))
        else:
            return told(request, f"{changes['alias']} is changed", closes=True)
    return _edit_page(request, account, form)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
def group(request: DeskRequest) -> HttpResponse:
    """Ask for a group; a POST takes the ticked accounts into it or out of it."""
    ids = chosen(request)
    accounts = list(our_accounts().filter(pk__in=ids))
    if not accounts:
        return told(request, NOBODY, is_error=True)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        is_in = form.cleaned_data["is_in"] == "in"
        name, by = form.group(), request.user.get_username()
        try:
            changed = group_accounts(
                account_ids=ids, name=name, is_in=is_in, actor=by, now=timezone.now()
            )
        except MayNotEdit as error:
            form.add_error(None, str(error))
        except NoSuchAccount:
            raise Http404 from None
        else:
            words = f"{named(changed)} {'into' if is_in else 'out of'} {name}"
            return told(request, words if changed else "Nothing changed", closes=True)
    plural = "" if len(accounts) == 1 else "s"
    return _shown(
        request, "group", form, accounts=accounts, title=f"Group {len(accounts)} account{plural}"
    )


def _edit_page(request: DeskRequest, account: Account, form: AccountForm) -> HttpResponse:
    now = timezone.now()
    line, history = find_line(account.pk, now=now), account_worth(account.pk, now=now)
    title = f"{account.alias} …{account.last4}"
    place = account.position + 1
    return _shown(request, "edit", form, line=line, history=history, place=place, title=title)


def _shown(
    request: DeskRequest, name: str, form: AccountForm | GroupForm, **more: object
) -> HttpResponse:
    """Show a form in the dialog, or without JavaScript as a page of its own."""
    shown = {"form": form, **more}
    status = UNPROCESSABLE if form.errors else None
    if request.htmx:
        return render(request, f"accounts/_{name}.html", shown, status=status)
    page = {**frame(request), **shown, "dialog": f"accounts/_{name}.html"}
    return render(request, "accounts/dialog.html", page, status=status)
