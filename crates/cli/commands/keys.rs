//! `evalhouse keys`: comparison keys are tried, API keys are made and revoked.

use std::collections::BTreeSet;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use evalhouse_model::{ApiKeyList, ApiKeyRow};
use evalhouse_server::{KeyError, Role, create_key, list_keys, revoke_key};
use evalhouse_store::Store;

use crate::error::{Exit, InputError};
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse keys create ci --role write --project support-bot
  evalhouse keys list
  evalhouse keys revoke ci
  evalhouse keys check support-bot input.question
  evalhouse keys check support-bot \"[input.question, metadata.tier]\"

API keys say who may do what on `evalhouse serve`; a running server heeds a new or
revoked one within seconds. The key is printed once and stored as its hash alone.
Comparison keys say which cases are the same case; `keys check` tries one.";

/// Options of `keys`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct KeyArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Comparison key: shows how many cases of the newest experiments would match, and what would go wrong
    Check {
        /// The project
        project: String,
        /// The key: an expression over a case, or several in brackets
        key: String,
    },
    /// API key: makes one and prints it, this once
    Create {
        /// Its name, such as who or what uses it
        name: String,
        /// What it may do: read, write (and log and change rows), admin (and change settings and delete)
        #[arg(long, value_name = "ROLE", default_value = "write", value_parser = role_parser())]
        role: Role,
        /// The only project it may see; repeat for several [default: all]
        #[arg(long, short, value_name = "NAME")]
        project: Vec<String>,
    },
    /// API keys: lists them, revoked ones too
    List,
    /// API key: takes it back
    Revoke {
        /// Its name
        name: String,
    },
}

pub(crate) async fn run(arguments: KeyArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    match arguments.action {
        Action::Check { project, key } => {
            let session = settings.open_session().await?;
            let check = evalhouse_analysis::check_key(&session, &project, &key).await?;
            print_answer(&check, false, settings, printer)?;
        }
        Action::Create { name, role, project } => {
            // The first key may well be made before the first row is stored.
            let store = Store::create(&settings.store).await?;
            let projects: BTreeSet<String> = project.into_iter().collect();
            let projects = (!projects.is_empty()).then_some(projects);
            let token = create_key(&store, &name, role, projects).await.map_err(as_input)?;
            printer.note(&format!("key `{name}` may {role}. It is shown this once:"));
            printer.text(&token)?;
        }
        Action::List => {
            let keys = list_keys(&Store::open(&settings.store).await?).await?;
            let row = |key: evalhouse_server::ApiKey| ApiKeyRow {
                name: key.name,
                role: key.role.name().into(),
                projects: key.projects.map(|projects| projects.into_iter().collect()),
                created: key.created,
                revoked: key.revoked,
            };
            let list = ApiKeyList { keys: keys.into_iter().map(row).collect() };
            print_answer(&list, false, settings, printer)?;
        }
        Action::Revoke { name } => {
            revoke_key(&Store::open(&settings.store).await?, &name).await.map_err(as_input)?;
            printer.line(&format!("key `{name}` is revoked"));
        }
    }
    Ok(Exit::Done)
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name))
        .map(|name| Role::ALL.into_iter().find(|role| role.name() == name).unwrap_or(Role::Read))
}

/// What the user typed is at fault, or the store.
fn as_input(error: KeyError) -> anyhow::Error {
    match error {
        KeyError::Store(error) => error.into(),
        KeyError::Random(_) => error.into(),
        KeyError::Taken { .. } | KeyError::Unknown { .. } => {
            InputError::with_hint(error.to_string(), "`evalhouse keys list` lists them").into()
        }
        KeyError::Name { .. } => InputError::new(error.to_string()).into(),
    }
}
