//! The conversation with a server: what it is asked, in which order, and how it may break off.

use std::time::{Duration, Instant};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientConfig, Implementation,
    PaginatedRequestParams, ProgressNotificationParam, Tool,
};
use rmcp::service::{ClientInitializeError, NotificationContext, RunningService, ServiceError};
use rmcp::transport::IntoTransport;
use rmcp::{ClientHandler, RoleClient, ServiceExt};
use serde_json::{Map, Value};

use super::{Tell, arguments};
use crate::sandbox::Cancel;

/// The most pages of tools that are asked for, and the most tools that are looked at.
const PAGES_MAX: usize = 100;
const TOOLS_MAX: usize = 10_000;
/// How often progress is told: a server may report it a thousand times a second.
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);
/// How long a server has to hear that its answer is no longer wanted, and that we leave.
const FAREWELL: Duration = Duration::from_millis(500);

/// What is asked.
pub struct Request {
    pub tool: String,
    pub arguments: Map<String, Value>,
    pub deadline: Instant,
    pub cancel: Cancel,
}

/// Why there is no result.
#[derive(Debug)]
pub enum Broken {
    /// The call cannot be made: asking again would change nothing.
    Refused(String),
    /// The server answered with an error of the protocol.
    Protocol {
        during: &'static str,
        why: String,
    },
    /// The server is gone, or what it says is no answer.
    Gone {
        during: &'static str,
        why: String,
        log: String,
    },
    Late {
        during: &'static str,
        log: String,
    },
    Stopped,
}

/// Asks the server at the other end of `transport` until its result is there, the time is up, or somebody cancels.
pub async fn ask<T, E, A>(
    transport: T,
    request: &Request,
    tell: &Tell,
) -> Result<CallToolResult, Broken>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let (wake, woken) = tokio::sync::oneshot::channel();
    let mut wake = Some(wake);
    let _registration = request.cancel.on_cancel(move || {
        if let Some(wake) = wake.take() {
            wake.send(()).ok();
        }
    });
    let mut stage = "initialize";
    let mut running = None;
    let conversation = converse(transport, request, tell, &mut stage, &mut running);
    let answer = tokio::select! {
        answer = conversation => Some(answer),
        () = tokio::time::sleep_until(request.deadline.into()) => None,
        _ = woken => Some(Err(Broken::Stopped)),
    };
    if let Some(client) = &mut running {
        if !matches!(answer, Some(Ok(_))) {
            // A request that is given up is taken back, which has to get out before the end.
            tokio::time::sleep(FAREWELL).await;
        }
        client.close_with_timeout(FAREWELL).await.ok();
    }
    answer.unwrap_or(Err(Broken::Late {
        during: stage,
        log: String::new(),
    }))
}

async fn converse<T, E, A>(
    transport: T,
    request: &Request,
    tell: &Tell,
    stage: &mut &'static str,
    running: &mut Option<RunningService<RoleClient, Listener>>,
) -> Result<CallToolResult, Broken>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let listener = Listener {
        tell: tell.clone(),
        told: std::sync::Mutex::new(None),
    };
    let client = listener
        .serve(transport)
        .await
        .map_err(|error| beginning(&error))?;
    let client = running.insert(client);
    *stage = "tools/list";
    let tool = find(client, &request.tool).await?;
    arguments::fit(&tool.input_schema, &request.arguments).map_err(|error| {
        Broken::Refused(format!(
            "the tool `{}` does not take these arguments: {error}",
            request.tool
        ))
    })?;
    *stage = "tools/call";
    let params =
        CallToolRequestParams::new(request.tool.clone()).with_arguments(request.arguments.clone());
    let answer = client.peer().call_tool_once(params).await;
    match answer.map_err(|error| broken("tools/call", error))? {
        CallToolResponse::Complete(result) => Ok(result),
        CallToolResponse::InputRequired(_) => Err(Broken::Refused(format!(
            "the tool `{}` asks for an answer of a person, which a step cannot give",
            request.tool
        ))),
        _ => Err(Broken::Refused(format!(
            "the tool `{}` answers with a task to be asked for later, which a step does not do",
            request.tool
        ))),
    }
}

/// Returns the tool, which may stand on any page of the server's list.
async fn find(client: &RunningService<RoleClient, Listener>, name: &str) -> Result<Tool, Broken> {
    let (mut names, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = PaginatedRequestParams::default().with_cursor(cursor.take());
        let listed = client.list_tools(Some(page)).await;
        let listed = listed.map_err(|error| broken("tools/list", error))?;
        for tool in listed.tools {
            if tool.name == name {
                return Ok(tool);
            }
            names.push(tool.name.to_string());
        }
        cursor = listed.next_cursor;
        if cursor.is_none() || names.len() > TOOLS_MAX {
            break;
        }
    }
    names.truncate(40);
    Err(Broken::Refused(format!(
        "the server has no tool `{name}`; it has: {}",
        names.join(", ")
    )))
}

fn beginning(error: &ClientInitializeError) -> Broken {
    match error {
        ClientInitializeError::JsonRpcError(error) => Broken::Protocol {
            during: "initialize",
            why: error.to_string(),
        },
        ClientInitializeError::ConnectionClosed(_) => gone("initialize", "ended"),
        other => gone("initialize", &format!("could not be spoken with ({other})")),
    }
}

fn broken(during: &'static str, error: ServiceError) -> Broken {
    match error {
        ServiceError::McpError(error) => Broken::Protocol {
            during,
            why: error.to_string(),
        },
        ServiceError::TransportClosed => gone(during, "ended"),
        other => gone(during, &format!("could not be spoken with ({other})")),
    }
}

fn gone(during: &'static str, why: &str) -> Broken {
    Broken::Gone {
        during,
        why: why.to_string(),
        log: String::new(),
    }
}

/// Passes on what the server tells while it works, and declines what it asks.
struct Listener {
    tell: Tell,
    /// When progress was told last.
    told: std::sync::Mutex<Option<Instant>>,
}

#[expect(
    deprecated,
    reason = "servers of the protocol's older versions say so what they do"
)]
impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let us = Implementation::new("orchestrate", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(Default::default(), us)
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let mut told = self
            .told
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_last = progress
            .total
            .is_some_and(|total| progress.progress >= total);
        if told.is_some_and(|told| told.elapsed() < PROGRESS_PAUSE) && !is_last {
            return;
        }
        *told = Some(Instant::now());
        let of = progress.total.map(|total| format!(" of {total}"));
        let message = progress.message.unwrap_or_default();
        let text = format!("{}{} {message}", progress.progress, of.unwrap_or_default());
        self.tell.send(text.trim_end().to_string()).ok();
    }

    async fn on_logging_message(
        &self,
        message: rmcp::model::LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let text = match message.data {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.tell.send(text).ok();
    }
}
