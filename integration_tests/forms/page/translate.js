// Airbyte's own keywords in those of the form library. Nothing here knows a field by its name.

// Returns the schema for the form library: the options of a oneOf are told apart by their constant.
export function formSchema(schema) {
  const translated = { ...schema };
  if (schema.properties) {
    translated.properties = mapped(schema.properties, formSchema);
  }
  if (schema.oneOf) {
    translated.oneOf = schema.oneOf.map(formSchema);
    translated.discriminator = { propertyName: discriminator(schema.oneOf[0]) };
  }
  if (schema.items) {
    translated.items = formSchema(schema.items);
  }
  return translated;
}

// Returns how the form library shall draw a schema: order, kinds of input, what is hidden.
export function drawing(schema) {
  const drawn = { "ui:options": options(schema) };
  if (schema.properties) {
    Object.assign(drawn, mapped(schema.properties, drawing), { "ui:order": inOrder(schema.properties) });
  }
  if (schema.oneOf) {
    drawn.oneOf = schema.oneOf.map((option) => ({ ...drawing(option), "ui:options": { isOption: true } }));
  }
  if (schema.items) {
    drawn.items = drawing(schema.items);
  }
  return drawn;
}

// Replaces the words of a broken pattern: people read the descriptor, never a regular expression.
export function inWords(errors, schema) {
  return errors.map((error) => {
    const descriptor = error.name === "pattern" && holder(error.schemaPath, schema)?.pattern_descriptor;
    return descriptor ? { ...error, message: `must be: ${descriptor}` } : error;
  });
}

function options(schema) {
  if (schema.airbyte_hidden || "const" in schema) {
    return { widget: "hidden" };
  }
  const example = schema.airbyte_secret ? undefined : schema.examples?.find((value) => typeof value !== "object");
  const drawn = { widget: widget(schema), placeholder: example?.toString(), orderable: false };
  return Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined));
}

function widget(schema) {
  if (schema.airbyte_secret) {
    return "password";
  }
  if (schema.type === "boolean") {
    return "checkbox";
  }
  if (schema.multiline) {
    return "textarea";
  }
  return schema.items?.enum && "checkboxes";
}

function inOrder(properties) {
  return Object.keys(properties).sort((one, other) => (properties[one].order ?? Infinity) - (properties[other].order ?? Infinity));
}

function discriminator(option) {
  return Object.keys(option.properties).find((name) => "const" in option.properties[name]);
}

function holder(schemaPath, schema) {
  return schemaPath.split("/").slice(1, -1).reduce((found, key) => found?.[key], schema);
}

function mapped(properties, change) {
  return Object.fromEntries(Object.entries(properties).map(([name, below]) => [name, change(below)]));
}
