// How a form of Airbyte is laid out: cards for groups, optional fields folded, words above an input.
import DOMPurify from "dompurify";

export function FieldTemplate({ id, label, children, rawErrors, required, hidden, schema, uiSchema }) {
  if (hidden) {
    return null;
  }
  if (id === "root") {
    return children;
  }
  if (uiSchema["ui:options"]?.isOption) {
    return <div className="option">{children}</div>;
  }
  // The library's checkbox brings its own label.
  const isLabelled = schema.type === "boolean";
  return (
    <div className="field" data-path={id.replace(/^root\./, "")}>
      {!isLabelled && <Heading id={id} label={label} required={required} schema={schema} />}
      {children}
      {isLabelled && <Description description={schema.description} />}
      {[...new Set(rawErrors)].map((error) => (
        <p className="error" role="alert" key={error}>
          {error}
        </p>
      ))}
    </div>
  );
}

function Heading({ id, label, required, schema }) {
  return (
    <div className="heading">
      <label htmlFor={id}>{label}</label>
      {!required && <span className="optional">Optional</span>}
      {schema.pattern_descriptor && <span className="form-of-value">{schema.pattern_descriptor}</span>}
      <Description description={schema.description} />
    </div>
  );
}

export function Description({ description }) {
  return description ? <p className="description" dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(description) }} /> : null;
}

export function ObjectFieldTemplate({ properties, schema }) {
  const visible = properties.filter(({ hidden }) => !hidden);
  if (!schema.groups) {
    return <Fields properties={visible} schema={schema} />;
  }
  return schema.groups.map(({ id, title }) => (
    <section key={id}>
      <h2>{title}</h2>
      <Fields properties={visible.filter(({ name }) => schema.properties[name].group === id)} schema={schema} />
    </section>
  ));
}

function Fields({ properties, schema }) {
  const isShown = ({ name }) => schema.required?.includes(name) || schema.properties[name].always_show;
  const folded = properties.filter((property) => !isShown(property));
  return (
    <>
      {properties.filter(isShown).map(({ content }) => content)}
      {folded.length > 0 && (
        <details>
          <summary>Optional fields</summary>
          {folded.map(({ content }) => content)}
        </details>
      )}
    </>
  );
}

export function Nothing() {
  return null;
}
