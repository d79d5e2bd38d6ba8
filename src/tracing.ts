import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Of the API alone, which does nothing until `startTracing` has registered who does. */
const tracer = trace.getTracer('latchkey');

/** What the work comes to, as a span below the present one. It carries names and codes, never values. */
export function inSpan<Result>(
  name: string,
  work: (span: Span) => Promise<Result>,
  options: SpanOptions = {},
): Promise<Result> {
  return tracer.startActiveSpan(name, options, (span) => run(span, work));
}

/** What the work begins, and what that leads to, is below no span, though it was begun in one. */
export function outsideOfSpans(work: () => void): void {
  context.with(ROOT_CONTEXT, work);
}

/** Whether there is a span that another one would be below. */
export function isInSpan(): boolean {
  return trace.getActiveSpan() !== undefined;
}

/** The same for a request from outside, below the span that its `traceparent` names. */
export function inRequestSpan<Result>(
  name: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const parent = propagation.extract(ROOT_CONTEXT, headers);
  return context.with(parent, () => inSpan(name, work, { kind: SpanKind.SERVER }));
}

/** The same for work that was put off, below the span that `presentSpan` named then. */
export function inSpanOfJob<Result>(
  name: string,
  traceparent: string | undefined,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const parent = propagation.extract(ROOT_CONTEXT, { traceparent });
  return context.with(parent, () => inSpan(name, work, { kind: SpanKind.CONSUMER }));
}

/**
 * The present span as a `traceparent` names it: two ids, no secret. Undefined when there is none.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export function presentSpan(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

async function run<Result>(span: Span, work: (span: Span) => Promise<Result>): Promise<Result> {
  try {
    return await work(span);
  } catch (error) {
    // Not the message, which may quote what a client sent.
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/**
 * Spans go to the collector from here on, over OTLP/HTTP. The packages are loaded only then.
 *
 * @param endpoint the collector's base, as in OTEL_EXPORTER_OTLP_ENDPOINT
 * @returns sends what is left, then ends it; a collector that does not answer delays it by two seconds at most
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export async function startTracing(endpoint: string): Promise<() => Promise<void>> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }, { BatchSpanProcessor, NodeTracerProvider }] =
    await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-node'),
    ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MILLISECONDS });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'latchkey' }),
    spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: EXPORT_TIMEOUT_MILLISECONDS })],
  });
  provider.register();
  return async () => {
    await provider.shutdown().catch(() => {});
    trace.disable();
    context.disable();
    propagation.disable();
  };
}

const EXPORT_TIMEOUT_MILLISECONDS = 2000;
