// Draws the form of a specification. The configuration that is submitted stands in `submitted`.
import Form from "@rjsf/core";
import { customizeValidator } from "@rjsf/validator-ajv8";
import { createRoot } from "react-dom/client";
import { Description, FieldTemplate, Nothing, ObjectFieldTemplate } from "./templates.jsx";
import { drawing, formSchema, inWords } from "./translate.js";

// With discriminators only the chosen option of a oneOf is judged.
const validator = customizeValidator({ ajvOptionsOverrides: { discriminator: true } });

const templates = {
  FieldTemplate,
  ObjectFieldTemplate,
  DescriptionFieldTemplate: Description,
  ArrayFieldTitleTemplate: Nothing,
  ArrayFieldDescriptionTemplate: Nothing,
};

window.showForm = ({ title, connectionSpecification }) => {
  const schema = formSchema(connectionSpecification);
  document.title = title;
  document.querySelector("h1").textContent = title;
  window.submitted = null;
  createRoot(document.querySelector("main")).render(
    <Form
      schema={schema}
      uiSchema={{ ...drawing(connectionSpecification), "ui:submitButtonOptions": { submitText: "Save" } }}
      validator={validator}
      templates={templates}
      transformErrors={(errors) => inWords(errors, schema)}
      idSeparator="."
      liveValidate="onBlur"
      showErrorList={false}
      noHtml5Validate
      onSubmit={({ formData }) => (window.submitted = formData)}
      onError={() => (window.submitted = null)}
    />,
  );
};
