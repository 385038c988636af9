/* SPDX-License-Identifier: Apache-2.0 */
/* Help, man page and completion scripts, all from the option tables. */
#include <ctype.h>
#include <string.h>

#include "run/run_private.h"

static const char exit_codes[] =
    "Exit codes: 0 whole input read and output complete; 1 data (malformed, truncated,\n"
    "wrong columns, checksum); 2 usage; 3 system (input, output, memory, disk: a retry\n"
    "may help); 141 the reader of the output closed it.\n";

static const char *value_of(const struct sl_opt *o)
{
    return o->value ? o->value : "";
}

static void print_usage(const struct sl_run *run, FILE *to)
{
    const struct sl_tool *t = run->tool;
    const char *operands = t->operands ? t->operands : "[FILE...]";
    fprintf(to, "%s: %s\n\nusage: %s [OPTION...] %s\n", t->name, t->about, t->name, operands);
}

/* The left column: "-m, --min BYTES". Returns its width. */
static int option_head(const struct sl_opt *o, char *out, size_t room)
{
    char letter[8] = "    ";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    if (!o->value)
        return snprintf(out, room, "%s--%s", letter, o->name);
    if (o->flags & SL_OPT_OPTIONAL)
        return snprintf(out, room, "%s--%s[=%s]", letter, o->name, o->value);
    return snprintf(out, room, "%s--%s %s", letter, o->name, o->value);
}

enum { HELP_COLUMN = 28, HELP_WIDTH = 79 };

/* Break text at blanks into lines of HELP_WIDTH, indented to HELP_COLUMN. */
static void print_wrapped(const char *text, FILE *to)
{
    size_t width = HELP_WIDTH - HELP_COLUMN;
    while (strlen(text) > width) {
        size_t at = width;
        while (at && text[at] != ' ')
            at--;
        if (!at)
            at = width;
        fprintf(to, "%.*s\n%*s", (int)at, text, HELP_COLUMN, "");
        text += at + (text[at] == ' ');
    }
    fprintf(to, "%s\n", text);
}

static void print_option(const struct sl_opt *o, FILE *to)
{
    char head[160];
    int n = option_head(o, head, sizeof head);
    fprintf(to, "  %s", head);
    if (n + 4 > HELP_COLUMN)
        fprintf(to, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(to, "%*s", HELP_COLUMN - n - 2, "");
    print_wrapped(o->help, to);
}

static void print_options(const struct sl_run *run, bool hidden_too, FILE *to)
{
    for (int i = 0; i < run->n_groups; i++)
        for (const struct sl_opt *o = run->groups[i].options; o->type != SL_OPT_T_END; o++)
            if (hidden_too || !(o->flags & SL_OPT_HIDDEN))
                print_option(o, to);
}

enum { LIST_COLUMNS = 80 };

static void print_list(const char *title, const char *const *words, FILE *to)
{
    if (!words || !words[0])
        return;
    int column = fprintf(to, "\n%s:", title) - 1;
    for (int i = 0; words[i]; i++) {
        int n = (int)strlen(words[i]) + 2;
        if (column + n > LIST_COLUMNS)
            column = fprintf(to, "\n ") - 1;
        column += fprintf(to, " %s%s", words[i], words[i + 1] ? "," : "");
    }
    fprintf(to, "\n");
}

static void print_columns(const struct sl_tool *t, FILE *to)
{
    if (t->in)
        fprintf(to, "\nReads: %s%s%s\n", strcmp(t->in, "*") == 0 ? "any stream" : t->in,
                t->needs ? " with " : "", t->needs ? t->needs : "");
    if (t->out)
        fprintf(to, "Writes: %s\n", strcmp(t->out, "*") == 0 ? "the same kind" : t->out);
    if (t->removes)
        fprintf(to, "Removes: %s\n", t->removes);
    if (!t->adds)
        return;
    fprintf(to, "\nAdds columns:\n");
    for (const struct sl_add *a = t->adds; a->name; a++) {
        int n = fprintf(to, "  %s %s", a->name, a->type);
        if (n + 2 > HELP_COLUMN)
            fprintf(to, "\n%*s", HELP_COLUMN, "");
        else
            fprintf(to, "%*s", HELP_COLUMN - n, "");
        print_wrapped(a->about, to);
    }
}

void sl_help_short(const struct sl_run *run, FILE *to)
{
    print_usage(run, to);
    fprintf(to, "\n");
    print_options(run, false, to);
    fprintf(to, "\n%s --help says more.\n", run->tool->name);
}

void sl_help_full(const struct sl_run *run, FILE *to)
{
    const struct sl_tool *t = run->tool;
    print_usage(run, to);
    fprintf(to, "\nExamples:\n");
    for (const char *p = t->examples; *p;) {
        size_t n = strcspn(p, "\n");
        fprintf(to, "  %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
    fprintf(to, "\nOptions (defaults in brackets; sizes take K, M, G, T; --no-NAME turns a switch "
                "off):\n");
    print_options(run, true, to);
    print_columns(t, to);
    print_list("Reasons of rejection", t->reasons, to);
    print_list("Further counts", t->counts, to);
    if (t->notes)
        fprintf(to, "\n%s\n", t->notes);
    fprintf(to, "\n%s", exit_codes);
}

/* ---- man page ---- */

static void roff_text(const char *s, FILE *to)
{
    bool line_start = true;
    for (; *s; s++) {
        if (line_start && (*s == '.' || *s == '\''))
            fputs("\\&", to);
        if (*s == '\\')
            fputs("\\e", to);
        else if (*s == '-')
            fputs("\\-", to);
        else
            fputc(*s, to);
        line_start = *s == '\n';
    }
}

static void roff_section(const char *name, const char *text, FILE *to)
{
    if (!text)
        return;
    fprintf(to, ".SH %s\n", name);
    roff_text(text, to);
    fprintf(to, "\n");
}

static void roff_option(const struct sl_opt *o, FILE *to)
{
    char head[160];
    option_head(o, head, sizeof head);
    const char *p = head;
    while (*p == ' ')
        p++;
    fprintf(to, ".TP\n.B ");
    roff_text(p, to);
    fprintf(to, "\n");
    roff_text(o->help, to);
    fprintf(to, "\n");
}

void sl_help_man(const struct sl_run *run, FILE *to)
{
    const struct sl_tool *t = run->tool;
    fprintf(to, ".TH ");
    for (const char *p = t->name; *p; p++)
        fputc(toupper((unsigned char)*p), to);
    fprintf(to, " 1 \"\" \"sluice %s\" \"Sluice\"\n.SH NAME\n", SLUICE_VERSION);
    fprintf(to, "%s \\- ", t->name);
    roff_text(t->about, to);
    fprintf(to, "\n.SH SYNOPSIS\n.B %s\n[\\fIOPTION\\fR...] ", t->name);
    roff_text(t->operands ? t->operands : "[FILE...]", to);
    fprintf(to, "\n.SH OPTIONS\n");
    for (int i = 0; i < run->n_groups; i++)
        for (const struct sl_opt *o = run->groups[i].options; o->type != SL_OPT_T_END; o++)
            roff_option(o, to);
    for (const struct sl_add *a = t->adds; a && a->name; a++) {
        fprintf(to, "%s.TP\n.B %s\n", a == t->adds ? ".SH COLUMNS ADDED\n" : "", a->name);
        roff_text(a->type, to);
        fputs(": ", to);
        roff_text(a->about, to);
        fprintf(to, "\n");
    }
    roff_section("NOTES", t->notes, to);
    fprintf(to, ".SH EXAMPLES\n.nf\n");
    roff_text(t->examples, to);
    fprintf(to, "\n.fi\n");
    roff_section("EXIT STATUS", exit_codes, to);
}

/* ---- completion ---- */

static void completion_bash(const struct sl_run *run, FILE *to)
{
    fprintf(to, "complete -f -W '");
    for (int i = 0; i < run->n_groups; i++)
        for (const struct sl_opt *o = run->groups[i].options; o->type != SL_OPT_T_END; o++)
            fprintf(to, " --%s", o->name);
    fprintf(to, "' %s\n", run->tool->name);
}

static void print_quoted(struct sl_str s, const char *special, FILE *to)
{
    for (size_t i = 0; i < s.n; i++) {
        if (strchr(special, s.p[i]))
            fputc('\\', to);
        fputc(s.p[i] == '\'' ? '`' : s.p[i], to);
    }
}

static void completion_zsh(const struct sl_run *run, FILE *to)
{
    fprintf(to, "#compdef %s\n_arguments \\\n", run->tool->name);
    for (int i = 0; i < run->n_groups; i++)
        for (const struct sl_opt *o = run->groups[i].options; o->type != SL_OPT_T_END; o++) {
            fprintf(to, "  '--%s%s[", o->name, o->value ? "=" : "");
            print_quoted(sl_opt_about(o), "[]:\\", to);
            fprintf(to, "]%s%s%s' \\\n", o->value ? ":" : "", value_of(o),
                    o->type == SL_OPT_T_FILE || o->type == SL_OPT_T_PATH ? ":_files" : "");
        }
    fprintf(to, "  '*:file:_files'\n");
}

static void completion_fish(const struct sl_run *run, FILE *to)
{
    for (int i = 0; i < run->n_groups; i++)
        for (const struct sl_opt *o = run->groups[i].options; o->type != SL_OPT_T_END; o++) {
            fprintf(to, "complete -c %s -l %s", run->tool->name, o->name);
            if (o->letter)
                fprintf(to, " -s %c", o->letter);
            fprintf(to, "%s -d '", o->value ? " -r" : "");
            print_quoted(sl_opt_about(o), "\\", to);
            fprintf(to, "'\n");
        }
}

enum sl_status sl_help_completion(const struct sl_run *run, const char *shell, FILE *to,
                                  struct sl_err *err)
{
    if (strcmp(shell, "bash") == 0)
        completion_bash(run, to);
    else if (strcmp(shell, "zsh") == 0)
        completion_zsh(run, to);
    else if (strcmp(shell, "fish") == 0)
        completion_fish(run, to);
    else
        return sl_err_set(err, SL_E_USAGE, "no completion for '%s'", shell);
    return SL_OK;
}
