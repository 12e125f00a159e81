# PrairieLearn, a question without a container: server.py. gradcheckd.py, which is /client.py, lies in serverFilesCourse/.
# data["params"]["lab"] is the request without gradients; each gradient has an input of its own (pl-matrix-input), called W1, b1, ...
import gradcheckd as gc
import prairielearn as pl

gc.connect("https://gradcheckd.example.edu")

def grade(data):
    lab, answers = data["params"]["lab"], data["submitted_answers"]
    try:
        report = gc.check(gradients={name: pl.from_json(answers.get(name)) for name in lab["parameters"]}, timeout=5, **lab)
    except (gc.Problem, gc.Unavailable) as error:
        data["format_errors"]["gradients"] = "Not graded, and no attempt lost: %s" % error
        return
    for entry in report.data["parameters"]:
        score = entry["points"] / (entry["max_points"] or 1)
        data["partial_scores"][entry["name"]] = {"score": score, "weight": entry["max_points"], "feedback": entry.get("detail", "")}
    pl.set_weighted_score_data(data)
    data["feedback"]["diagnosis"] = " ".join(mistake["message"] + " " + mistake["hint"] for mistake in report.mistakes)
