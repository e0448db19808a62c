"""Names of LTI 1.3 and its services, as the specifications of 1EdTech write them."""

VERSION = "1.3.0"
RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINKING = "LtiDeepLinkingRequest"
DEEP_LINKING_ANSWER = "LtiDeepLinkingResponse"

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINK_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

LINE_ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
LINE_ITEM_READ = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
RESULT_READ = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
AGS_SCOPES = (LINE_ITEM, LINE_ITEM_READ, RESULT_READ, SCORE)
SCOPES = (*AGS_SCOPES, MEMBERS)

TYPE_LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
TYPE_LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
TYPE_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
TYPE_SCORE = "application/vnd.ims.lis.v1.score+json"
TYPE_MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
INSTRUCTOR = f"{_MEMBERSHIP}Instructor"
LEARNER = f"{_MEMBERSHIP}Learner"
FACULTY = f"{_INSTITUTION}Instructor"
STUDENT = f"{_INSTITUTION}Student"
COURSE_SECTION = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"
