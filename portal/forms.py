"""How every form of the portal is drawn: Django's own hooks, our component templates (design.md §4 "Form")."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """`{{ form }}` and `{{ field.as_field_group }}` give the sheet's markup; the admin draws its forms itself."""

    form_template_name = "components/_form.html"
    field_template_name = "components/_field.html"
