"""The paths of the site with Django in python_sites.py."""

from django.contrib.auth.models import User
from django.http import HttpResponse, JsonResponse
from django.urls import include, path


def show(request):
    """Show what the library has stored of the user, and forget them: another may take nobody with a known address."""
    user = request.user
    if not user.is_authenticated:
        return HttpResponse("Nobody is signed in.", status=401)
    name = user.get_full_name()
    for account in user.socialaccount_set.all():
        name = account.extra_data['userinfo']['name']
    found = {'email': user.email, **({'name': name} if name else {})}
    User.objects.all().delete()
    return JsonResponse(found)


urlpatterns = [
    path('me', show),
    path('mozilla/', include('mozilla_django_oidc.urls')),
    path('social/', include('social_django.urls', namespace='social')),
    path('allauth/', include('allauth.urls')),
]
